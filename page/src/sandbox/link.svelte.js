/** The conversation about one simulated person: the last view, the posts so far, and what to say. Nothing is computed here. */
import { lineTo } from "./line.svelte.js";
import { Past } from "./past.js";

const KEEP = 120;
const SLOW = 1500;
const MOST_POSTS = 10000; // that are run again after a loss, at the server's 400 a second
const LONG = 30000; // milliseconds that a note stays
const PAUSE = 20; // milliseconds between messages that are said again; the server takes 60 a second

export const live = $state({ view: null, steps: [], trouble: "", note: "", waiting: true, slow: false });

let line;
let later = [];
let patience;
let past = null;
let asked = null; // what the server has not answered yet
let returning = null; // what is said again after a loss; the page shows the person from before meanwhile
let meanwhile = [];

/** Open the conversation, once; `settings` are those that it begins with if it cannot go on where it was lost. */
export function open(settings) {
  line ??= lineTo("live", {
    hear,
    back: () => {
      [live.waiting, meanwhile] = [true, []];
      if (asked) past.keep(asked);
      returning = past?.again(MOST_POSTS) ?? [{ type: "start", ...settings() }];
    },
    awake: () => say({ type: "turn", ...live.view.settings }, false),
  });
}

function note(text) {
  live.note = text;
  setTimeout(() => (live.note = ""), LONG);
}

function hear(told) {
  clearTimeout(patience);
  if (returning) {
    if (told.type !== "error") meanwhile = [...meanwhile, ...told.steps].slice(-KEEP);
    if (returning.length) return void setTimeout(() => line.say(returning.shift()), PAUSE);
    note(told.t
      ? `The connection was lost. The person is here again, at post ${told.t}, and goes on with the same random numbers.`
      : "The connection was lost, and the person began again: same settings, same random numbers.");
    [returning, live.steps, told] = [null, [], { ...told, steps: meanwhile }];
  }
  [live.waiting, live.slow] = [false, false];
  if (told.type === "error") live.trouble = told.text;
  else {
    past ??= new Past({ type: "start", ...told.settings });
    if (asked) past.keep(asked);
    see(told);
  }
  asked = null;
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
  send(message);
  return true;
}

function send(message) {
  [live.waiting, asked] = [true, message];
  patience = setTimeout(() => (live.slow = true), SLOW);
  line.say(message);
}
