/** The conversation with the server: the last view, the posts so far, and what to say. Nothing is computed here. */
const KEEP = 120;

export const live = $state({ view: null, steps: [], about: null, trouble: "", waiting: true, slow: false });

let socket;
let later = [];
let patience;

export function socketTo(name) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return new WebSocket(`${scheme}://${location.host}${location.pathname.replace(/[^/]*$/, "")}${name}`);
}

export async function open() {
  live.about = await (await fetch("api/about")).json();
  socket = socketTo("live");
  socket.onmessage = (event) => {
    const told = JSON.parse(event.data);
    clearTimeout(patience);
    [live.waiting, live.slow] = [false, false];
    if (told.type === "error") live.trouble = told.text;
    else hear(told);
    if (later.length) say(later.shift());
  };
  socket.onclose = (event) => {
    live.waiting = true;
    live.trouble = event.reason || "The server has gone. Reload the page to start anew.";
  };
}

function hear(told) {
  live.trouble = "";
  if (told.t === 0) live.steps = [];
  live.steps = [...live.steps, ...told.steps].slice(-KEEP);
  for (const [i, step] of live.steps.entries()) credit(step, i);
  live.view = told;
}

/** The posts of a session are told their advantages by its last. */
function credit(step, last) {
  const learned = step.session?.advantages ?? [];
  for (const [i, advantage] of learned.entries()) {
    const post = live.steps[last - learned.length + 1 + i];
    if (post) post.advantage = advantage;
  }
}

/** Say something, now or, if it is `kept`, once the answer to the last thing said is there. Reactions are not kept: the post
 *  that they answer would be another by then. Of two that are kept, the later takes the place of one of its type. */
export function say(message, kept = message.type === "turn" || message.type === "start") {
  if (live.waiting || socket?.readyState !== WebSocket.OPEN) {
    if (kept) later = [...later.filter((other) => other.type !== message.type), message];
    return false;
  }
  live.waiting = true;
  patience = setTimeout(() => (live.slow = true), 1500);
  socket.send(JSON.stringify(message));
  return true;
}
