/** The crowd as the server last told it, what its figures were, and the people watched. Nothing is computed here. */
import { lineTo } from "./line.svelte.js";
import { Past } from "./past.js";

const HOVER = 120;
const MOST_WORK = 4e8; // posts times people that are run again after a loss: some 20 seconds
const LONG = 30000; // milliseconds that a note stays
const PAUSE = 20; // milliseconds between messages that are said again; the server takes 60 a second
const A_SECOND = 1000;
const still = matchMedia("(prefers-reduced-motion: reduce)");

export const crowd = $state({
  figures: null, person: null, distance: null, watched: [], again: null,
  playing: false, trouble: "", note: "", size: 20000, posts: 5, rate: 0.1, shift: 0, seed: 1,
});

let line;
let draw = () => {};
let waiting = true;
let pending = null;
let hovered = null;
let hoveredAt = 0;
let later;
let past = new Past({ type: "begin", users: 20000, seed: 1, learning_rate: 0.1 });
let returning = null; // what is said again after a loss; the page shows the crowd from before meanwhile
let last = null; // the figures that come with it
let asked = null; // what the server has not answered yet

/** What made this crowd, for under a picture. */
export const madeBy = ({ again }) => (again ? again.command + (again.exact ? "" : " (before sliders were moved)") : "");

/** Every frame goes to this function. */
export const drawBy = (paint) => (draw = paint);

/** Open the conversation, once. */
export function open() {
  line ??= lineTo("crowd", {
    hear: (told) => (returning ? hearAgain(told) : told instanceof ArrayBuffer ? show(told) : hear(told)),
    back: () => {
      waiting = true;
      keep();
      returning = past.again(MOST_WORK / past.said[0].users) ?? past.said.slice(0, 1);
    },
    awake: () => waiting || pending || go(0),
  });
}

function keep() {
  if (asked) past.keep(asked);
  asked = null;
}

function hear(told) {
  if (told.type === "error") asked = null;
  if (told.type === "crowd") {
    keep();
    return learn(told);
  }
  if (told.type === "person") {
    crowd.person = told;
    if (told.watched) [crowd.watched, crowd.distance] = [[trail(told)], null];
  } else if (told.type === "pair") {
    [crowd.watched, crowd.distance, crowd.person] = [told.people.map(trail), told.distance, null];
  } else {
    crowd.trouble = told.text;
    crowd.playing = false;
    crowd.size = crowd.figures?.users ?? crowd.size;
  }
  free();
}

function note(text) {
  crowd.note = text;
  setTimeout(() => (crowd.note = ""), LONG);
}

/** Say what is next of what is said again; when the last of it is answered, show the crowd, and whoever was watched. */
function hearAgain(told) {
  if (told.type === "error") {
    [returning, waiting, crowd.size] = [null, false, 20000];
    begin();
    return note(`The connection was lost, and so is the crowd: ${told.text}.`);
  }
  if (!(told instanceof ArrayBuffer)) return void (last = told);
  if (returning.length) return void setTimeout(() => line.say(returning.shift()), PAUSE);
  returning = null;
  const [one, other] = crowd.watched.map((person) => person.user);
  learn(last);
  note(last.t
    ? `The connection was lost. The crowd is here again, at post ${last.t}, and goes on with the same random numbers.`
    : "The connection was lost, and the crowd began again: same people, same random numbers.");
  if (other !== undefined) pending = { type: "pair", user: one, other };
  else if (one !== undefined) pending = { type: "who", user: one };
  show(told);
}

const trail = ({ user, story, place, feed }) =>
  ({ user, place, feed, steps: story?.steps ?? [], feeds: story?.feeds ?? [], places: story?.places ?? [], locked: story?.locked_in ?? null });

function learn(told) {
  const before = crowd.figures;
  const anew = told.t === 0 || told.users !== before?.users;
  [crowd.figures, crowd.again] = [told, told.again];
  crowd.watched = told.watched.map((one, i) => {
    const old = crowd.watched[i];
    if (anew || old?.user !== one.user) return { ...trail(one), ...one };
    if (told.t === before.t) return { ...old, ...one };
    const locked = old.locked ?? (one.locked_in ? told.t : null);
    return { ...old, ...one, locked, steps: [...old.steps, told.t], feeds: [...old.feeds, one.feed], places: [...old.places, one.place] };
  });
}


function show(buffer) {
  requestAnimationFrame(() => {
    draw(buffer);
    free();
    if (!crowd.playing) return;
    if (still.matches) setTimeout(() => crowd.playing && go(crowd.posts), A_SECOND);
    else go(crowd.posts);
  });
}

function free() {
  waiting = false;
  if (pending) say(pending);
  else if (hovered) hover(...hovered);
}

/** One message is on its way at a time; of what is said meanwhile, the last is kept. */
export function say(message) {
  if (waiting || !line?.open) return void (pending = message);
  [waiting, pending, crowd.trouble] = [true, null, ""];
  asked = message.type === "begin" || message.type === "go" ? message : null;
  line.say(message);
}

/** Ask who is at a place: at most eight times a second, and only the last place counts. */
export function hover(x, y) {
  hovered = [x, y];
  if (waiting) return;
  clearTimeout(later);
  const early = HOVER - (performance.now() - hoveredAt);
  if (early > 0) return void (later = setTimeout(() => hovered && hover(...hovered), early));
  [hovered, hoveredAt] = [null, performance.now()];
  say({ type: "near", x, y });
}
export const unhover = () => (hovered = null);

export const go = (posts) => say({ type: "go", posts, learning_rate: crowd.rate, shift: crowd.shift });
export function play() {
  crowd.playing = !crowd.playing;
  if (crowd.playing) go(crowd.posts);
}
export function begin() {
  [crowd.person, crowd.shift] = [null, 0];
  say({ type: "begin", users: crowd.size, seed: crowd.seed, learning_rate: crowd.rate });
}
