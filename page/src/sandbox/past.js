/** What was said to the server and changed something there: said once more, it leads to the same place, bit for bit. */
const AT_ONCE = 200; // posts of a message
const MOST_SAID = 1000;

export class Past {
  /** `first` is what the server begins with before anything is said. */
  constructor(first) {
    this.said = [first];
  }

  /** Keep a message; posts that follow each other under the same settings are kept as one. */
  keep(message) {
    const last = this.said.at(-1);
    const but = (one) => JSON.stringify({ ...one, posts: 0 });
    if (message.type === this.said[0].type) this.said = [{ ...message }];
    else if (message.posts !== undefined && but(last) === but(message)) last.posts += message.posts;
    else this.said.push({ ...message });
  }

  /** What to say once more, in messages that the server takes; null where that is more than so many posts. */
  again(mostPosts) {
    const posts = this.said.reduce((sum, one) => sum + (one.posts ?? 0), 0);
    if (posts > mostPosts || this.said.length > MOST_SAID) return null;
    return this.said.flatMap((one) => {
      const parts = Math.max(1, Math.ceil((one.posts ?? 0) / AT_ONCE));
      return Array.from({ length: parts }, (_, i) => (one.posts === undefined ? one : { ...one, posts: Math.min(AT_ONCE, one.posts - i * AT_ONCE) }));
    });
  }
}
