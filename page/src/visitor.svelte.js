/** The visitor of the story: their reactions, and what each did to their feed. The loop runs here, bit for bit the kernel's. */
import { most, count, placeOf } from "./kinds.js";
import { Loop, pack, rewardOf, unpack } from "./loop.js";

export const FIRST = 20, LAST = 100, LONGEST_HALF = 15;
const RATE = 1;

export const visitor = $state({ seed: 0, given: [], steps: [], kind: 0, text: "", theirs: false });

let loop;
let it;

/** Seeds are short, so that links are. */
const freshSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;

/** The loop of a visitor, { seed, given }, after the first so many of their reactions. */
export function again({ seed, given }, tables, n = given.length) {
  const own = new Loop({ seed, rate: RATE, tables, visitor: true });
  for (const reaction of given.slice(0, n)) own.react(rewardOf(reaction));
  return own;
}

/** Begin, with somebody's reactions if there are any. */
export function begin(what, seed = freshSeed(), given = [], theirs = false) {
  it = what;
  Object.assign(visitor, { seed, given: [], steps: [], theirs });
  loop = again({ seed, given: [] }, it.profiles);
  offer();
  for (const reaction of given) take(reaction);
}

/** React to the post on the phone; seconds count in halves, up to seven and a half. */
export function react(action, seconds) {
  if (visitor.steps.length < LAST) take({ action, half: Math.min(LONGEST_HALF, Math.round(2 * seconds)) });
}

function take(reaction) {
  const step = loop.react(rewardOf(reaction));
  visitor.given.push(reaction);
  visitor.steps.push({ ...step, ...reaction, text: visitor.text, place: placeOf(step.after) });
  offer();
}

/** The next post: its kind by the loop; of the kind's texts, none twice before all have been shown. */
function offer() {
  visitor.kind = loop.offer();
  const own = it.posts.filter((post) => post.category === it.categories[visitor.kind].name);
  const before = visitor.steps.filter((step) => step.category === visitor.kind).length;
  visitor.text = order(own, visitor.seed + visitor.kind)[before % own.length].text;
}

/** The texts in an order of this visitor's own: by a hash of seed and place. */
function order(list, seed) {
  const hash = (i) => Math.imul(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(i + 1, 0x85ebca6b), 0xc2b2ae35) >>> 0;
  return list.map((one, i) => [hash(i), one]).sort((a, b) => a[0] - b[0]).map((pair) => pair[1]);
}

/** How many of the last ten posts are of the kind that most are of, and whether that kind leads: more than half. */
export function verdict(steps) {
  const counts = count(steps.slice(-10).map((step) => step.category));
  const kind = most(counts);
  return { kind, of: counts[kind], leads: counts[kind] > 5 };
}

/** The visitor in an address: `#mirror=SEED.REACTIONS`. */
export const link = () => `#mirror=${visitor.seed}.${pack(visitor.given)}`;

/** The visitor of an address: their seed and reactions, or null where there is none, or it is not well-formed. */
export function fromLink(hash) {
  const found = /^#mirror=(\d{1,7})\.([A-Za-z0-9_-]{0,100})$/.exec(hash);
  const given = found && unpack(found[2]);
  return given && { seed: +found[1], given };
}
