/** The conversation about one simulated person: the last view, the posts so far, and what to say. Nothing is computed here. */
import { lineTo } from "./line.svelte.js";

const KEEP = 120;
const SLOW = 1500;

export const live = $state({ view: null, steps: [], trouble: "", note: "", waiting: true, slow: false });

let line;
let later = [];
let patience;

/** Open the conversation, once; `settings` are those that it goes on with after it was lost. */
export function open(settings) {
  line ??= lineTo("live", {
    hear,
    back: () => {
      later = [];
      live.note = "The connection was lost, and the person began again: same settings, same random numbers.";
      send({ type: "start", ...settings() });
    },
    awake: () => say({ type: "turn", ...live.view.settings }, false),
  });
}

function hear(told) {
  clearTimeout(patience);
  [live.waiting, live.slow] = [false, false];
  if (told.type === "error") live.trouble = told.text;
  else see(told);
  if (later.length) say(later.shift());
}

function see(told) {
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

/** Say something, now or, if it is `kept`, once the answer to the last thing said is there. Of two that are kept, the later
 *  takes the place of one of its type. */
export function say(message, kept = message.type !== "auto") {
  if (live.waiting || !line?.open) {
    if (kept) later = [...later.filter((other) => other.type !== message.type), message];
    return false;
  }
  live.note = "";
  send(message);
  return true;
}

function send(message) {
  live.waiting = true;
  patience = setTimeout(() => (live.slow = true), SLOW);
  line.say(message);
}
