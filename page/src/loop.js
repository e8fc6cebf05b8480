/**
 * The loop between the recommender and one person, under any source of G: the compiled kernel's, bit for bit.
 *
 * Every operation rounds to float32 where the kernel rounds (`f`), words have 32 bits, and names are those of
 * kernel/plain.py, kernel/lens.py and kernel/items.py. docs/model.md, docs/labels.md, docs/context.md and docs/retrieval.md
 * have the equations; tests/server/test_loop.py compares the bits.
 */

const f = Math.fround;
const STATES = 3;
const UNIT = 2 ** -24;
const BELOW_ONE = f(1 - 2 ** -23);
const VISITOR_BASELINE = 0.5;
const MOST_DRAWS = 1000; // at alpha 1 every new kind has a probability above 0.06
const CLOSED = -Infinity; // the logit of a category of which nothing was pulled from the shelf
const TIES = f(1e-4); // the weight of luck among items that are as near
/** Who provides G where nobody is named: the person, by reacting. A lens has the names and numbers of kernel/task.py. */
const CLICKS = { deliberate: 0, prompt: null, retrieved: 0, acts: null };
const LEAST_SECONDS = f(1e-3);

const view = new DataView(new ArrayBuffer(4));
const bitsOf = (x) => (view.setFloat32(0, x), view.getInt32(0));
const fromBits = (bits) => (view.setInt32(0, bits), view.getFloat32(0));

/** The polynomial with these coefficients, highest power first. */
const horner = (x, coefficients) => coefficients.reduce((sum, c) => f(f(sum * x) + c));

const E = [0.0083125206, 0.041890156, 0.16667114, 0.49999231, 1, 1].map(f);
const L = [-0.066460565, 0.14131863, -0.17372222, 0.20108034, -0.24976791, 0.33329764, -0.50000215, 1.0000001].map(f);
const S = [39.536705, -76.54978, 81.601006, -41.341656, 6.283185].map(f);
const [LOG2_E, LN2, LN2_HIGH, LN2_LOW] = [1.4426950408889634, 0.6931471805599453, 0.693359375, -2.1219444e-4].map(f);
const ROUNDER = 12582912;

function exp(x) {
  x = Math.max(x, -87);
  const shifted = f(f(x * LOG2_E) + ROUNDER);
  const n = f(shifted - ROUNDER);
  const r = f(f(x - f(n * LN2_HIGH)) - f(n * LN2_LOW));
  return f(horner(r, E) * fromBits((bitsOf(shifted) << 23) + 0x3f800000));
}

function log(x) {
  const bits = bitsOf(x);
  const exponent = (bits - 0x3f400000) >> 23;
  const y = f(fromBits(bits - (exponent << 23)) - 1);
  return f(f(exponent * LN2) + f(y * horner(y, L)));
}

function cosTurn(u) {
  const y = f(Math.abs(f(u - 0.5)) - 0.25);
  return f(horner(f(y * y), S) * y);
}

const normal = (u, v) => f(f(Math.sqrt(f(-2 * log(u)))) * cosTurn(v));

const GOLDEN = 0x9e3779b97f4a7c15n;
const [INTERACTION, LABEL, PICK, RETRIEVAL, ACTION] = [1n, 8n, 9n, 10n, 11n]; // what a stream is for
const word64 = (x) => BigInt.asUintN(64, x);

function mix64(x) {
  x = word64((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n);
  x = word64((x ^ (x >> 27n)) * 0x94d049bb133111ebn);
  return x ^ (x >> 31n);
}

/** The four starting words of a person's stream for one purpose. */
function stream(seed, user, purpose) {
  const key = mix64(word64(BigInt(seed) + purpose * GOLDEN));
  const halves = [0n, 1n].map((half) => mix64(word64(key + (2n * BigInt(user) + half) * GOLDEN)));
  return Uint32Array.from(halves.flatMap((x) => [Number(x & 0xffffffffn), Number(x >> 32n)]));
}

const turned = (x, by) => (x << by) | (x >>> (32 - by));

/** The next 32 random bits: one step of xoshiro128++. */
function nextWord(words) {
  let [a, b, c, d] = words;
  const word = (turned((a + d) | 0, 7) + a) >>> 0;
  const shifted = b << 9;
  c ^= a;
  d ^= b;
  b ^= c;
  a ^= d;
  c ^= shifted;
  words.set([a, b, c, turned(d, 11)]);
  return word;
}

const uniform = (words) => (nextWord(words) >>> 8) * UNIT;
const noiseOf = (words) => normal(uniform(words) + UNIT, uniform(words));

/** The luck of a post: of its choice, of the reaction, and of the next state. */
const drawLuck = (words) => ({ choice: uniform(words), noise: noiseOf(words), transition: uniform(words) });

/** Every category's weight under a row of logits, and their total; a closed one has none. */
function weigh(logits) {
  const largest = logits.reduce((most, x) => Math.max(most, x));
  const weight = logits.map((x) => (x > CLOSED ? exp(f(x - largest)) : 0));
  return { weight, total: weight.reduce((sum, x) => f(sum + x)) };
}

/** The last category at which luck has come as far. */
function choose({ weight, total }, choice) {
  const target = f(choice * f(total * BELOW_ONE));
  let [reached, arm] = [weight[0], 0];
  for (let k = 1; k < weight.length; k++) {
    if (target >= reached) arm += 1;
    reached = f(reached + weight[k]);
  }
  return arm;
}

function softmax(logits) {
  const largest = Math.max(...logits);
  const weight = Array.from(logits, (x) => Math.exp(x - largest));
  const total = weight.reduce((sum, x) => sum + x);
  return weight.map((x) => x / total);
}

/**
 * One person before a recommender. `tables` are the profiles of /api/about, `rate` is alpha; `lens`, one of its givers,
 * is who provides G.
 *
 * A `visitor` stays calm; their baseline begins at 0.5 and counts as one reaction; and the luck of their first K posts
 * is drawn again, up to MOST_DRAWS times, until the post is of a kind that was not shown yet.
 */
export class Loop {
  constructor({ seed = 1, user = 0, rate = 0.1, lambda = 0.2, lens = CLICKS, tables, visitor = false }) {
    this.tables = tables;
    this.visitor = visitor;
    this.k = tables.reactive.mean[0].length;
    this.logits = new Float32Array(STATES * this.k);
    this.shown = new Uint32Array(this.k);
    this.user = user;
    this.words = stream(seed, user, INTERACTION);
    this.labelling = stream(seed, user, LABEL);
    this.picking = stream(seed, user, PICK);
    this.retrieving = stream(seed, user, RETRIEVAL);
    this.acting = stream(seed, user, ACTION);
    this.pulled = null; // the numbers of the items that were pulled from the shelf, category by category
    this.t = 0;
    this.heard = visitor ? 1 : 0; // how many rewards the baseline is the mean of
    this.state = 0;
    this.baseline = visitor ? VISITOR_BASELINE : 0;
    this.lost = 0; // what rounding lost of the baseline
    this.turn({ rate, lambda, lens });
  }

  /** Change alpha, lambda or who provides G from here on; the luck of each giver goes on where it was. */
  turn({ rate = this.rate, lambda = this.lambda, lens = this.lens }) {
    this.rate = f(rate);
    this.lambda = f(lambda);
    this.lens = lens;
    if (lens.retrieved) this.pulled ??= this.pull();
  }

  copy() {
    const own = Object.entries(this).map(([name, value]) => [name, ArrayBuffer.isView(value) ? value.slice() : value]);
    return Object.assign(Object.create(Loop.prototype), Object.fromEntries(own));
  }

  /** The policy that posts are drawn from, in every state: with the wish, and among what was pulled from the shelf. */
  get policy() {
    return Array.from({ length: STATES }, (_, s) => softmax(this.served(s)));
  }

  /** An entry of a profile between the two of `tables`: of this person, or of them at another lambda. */
  blend(lambda, ...path) {
    const [one, other] = [this.tables.reactive, this.tables.intentional].map((end) => path.reduce((x, i) => x[i], end));
    return f(f(f(1 - lambda) * one) + f(lambda * other));
  }

  row(state) {
    return this.logits.subarray(state * this.k, (state + 1) * this.k);
  }

  /** The logits that posts are drawn from in a state. */
  served(state) {
    const { prompt, retrieved } = this.lens;
    const row = Array.from(this.row(state), (x, k) => (prompt ? f(x + prompt[k]) : x));
    return retrieved ? row.map((x, k) => (this.pulled[k].length ? x : CLOSED)) : row;
  }

  /** Pull from the shelf the items that are nearest to the person's own wish, and list them by category. */
  pull() {
    const { relevance, kind, retrieved } = this.lens;
    const score = relevance.map((x) => f(x + f(TIES * uniform(this.retrieving))));
    const taken = kind.map((_, i) => i).sort((one, other) => score[other] - score[one]).slice(0, retrieved);
    return Array.from({ length: this.k }, (_, k) => taken.filter((i) => kind[i] === k).sort((one, other) => one - other));
  }

  /** Pick one of the items that were pulled, each as likely: the factor on the reaction to it. */
  pick(category) {
    const items = this.pulled[category];
    return this.lens.quality[items[Math.floor(f(uniform(this.picking) * items.length))]];
  }

  /** What the platform's objective makes of what the person does with a post. docs/objective.md, eqs. 19 to 21. */
  judge(felt, state, category, noise) {
    const { acts } = this.lens;
    if (!acts) return felt;
    const cell = state * this.k + category;
    const between = (one, other) => f(f(f(1 - this.lambda) * one) + f(this.lambda * other));
    let sum = f(f(acts.felt) * felt);
    acts.weight.forEach((weight, i) => {
      const p = f(acts.reactive[i][cell]);
      const chance = between(f(p / f(p + f(1 - p))), f(acts.intentional[i][cell]));
      sum = f(sum + (uniform(this.acting) < chance ? f(weight) : 0));
    });
    const [second, scroll] = [f(acts.second), f(acts.scroll)];
    if (!second && !scroll) return sum;
    const median = Math.max(between(f(acts.seconds_reactive[cell]), f(acts.seconds_intentional[cell])), LEAST_SECONDS);
    const seconds = f(median * exp(f(f(acts.sigma) * noise)));
    return f(sum + f(f(second * seconds) + (seconds < f(acts.short) ? scroll : 0)));
  }

  /** What the recommender is told of a reaction: the reward, and 1 if there is one or 0. docs/labels.md, eq. 10. */
  ask(felt, state, category) {
    const { involuntary, deliberate, labelled, rate, intentionality, noise, model } = this.lens;
    if (!deliberate) return { reward: felt, heard: 1 };
    const rated = !labelled || uniform(this.labelling) < rate ? 1 : 0;
    const luck = labelled ? noiseOf(this.labelling) : 0;
    const learned = model[this.user % model.length]?.[state][category];
    const mean = learned ?? this.blend(intentionality, "mean", state, category);
    const std = model.length ? 0 : f(noise * this.blend(intentionality, "std", state, category));
    const label = f(mean + f(std * luck));
    const own = f(deliberate * rated);
    const total = f(involuntary + own);
    const sum = f(f(involuntary * felt) + f(own * label));
    return total > 0 ? { reward: f(sum / total), heard: 1 } : { reward: sum, heard: 0 };
  }

  /** The next post: its luck, drawn from `words`, its category, and the odds it was drawn from. */
  find(words) {
    const odds = weigh(this.served(this.state));
    const most = this.visitor && this.t < this.k ? MOST_DRAWS : 1;
    for (let draws = 1; ; draws++) {
      const luck = drawLuck(words);
      const category = choose(odds, luck.choice);
      if (draws === most || !this.shown[category]) return { odds, luck, category };
    }
  }

  /** The category of the next post; changes nothing. */
  offer() {
    return this.find(this.words.slice()).category;
  }

  /** Run the next post with this reaction, or with one drawn from the person's profile. */
  react(reward) {
    const { state, baseline } = this;
    const row = this.row(state);
    const before = softmax(this.served(state));
    const { odds, luck, category } = this.find(this.words);
    const of = (name, ...end) => this.blend(this.lambda, name, state, category, ...end);
    this.t += 1;
    this.shown[category] += 1;

    const quality = this.lens.retrieved ? this.pick(category) : 1;
    const felt = f(f(reward ?? f(of("mean") + f(of("std") * luck.noise))) * quality);
    const told = this.ask(this.judge(felt, state, category, luck.noise), state, category);
    this.heard += told.heard;
    const advantage = f(f(told.reward - baseline) * told.heard);
    const step = f(f(advantage * f(1 / Math.max(this.heard, 1))) + this.lost);
    this.baseline = f(baseline + step);
    this.lost = f(step - f(this.baseline - baseline));

    const inverse = f(1 / odds.total);
    const scale = f(this.rate * advantage);
    const policy = odds.weight.map((x) => f(x * inverse));
    policy.forEach((p, k) => (row[k] = f(row[k] + f(scale * f((k === category ? 1 : 0) - p)))));

    if (!this.visitor) {
      const calmTo = of("transition", 0);
      const hookedAt = f(1 - of("transition", 2));
      this.state = (luck.transition >= calmTo ? 1 : 0) + (luck.transition >= hookedAt ? 1 : 0);
    }
    if (this.lens.retrieved && this.t % this.lens.refresh === 0) this.pulled = this.pull();
    const { t, state: nextState, baseline: newBaseline } = this;
    const [after, propensity] = [softmax(this.served(state)), policy[category]];
    return { t, category, state, nextState, reward: felt, baseline, newBaseline, before, after, advantage, propensity };
  }
}

export const ACTIONS = ["skip", "like", "share"];
const BONUS = [0, 0.5, 1];
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"; // base64url
const HALVES = Array.from({ length: 16 }, (_, half) => half);

function placeIn(list, item) {
  const place = list.indexOf(item);
  if (place < 0) throw new RangeError(`expected one of ${list.join(", ")}, got ${item}`);
  return place;
}

/** A visitor's reactions as text, a character each: 2 bits of action, 4 bits of half seconds, up to 7.5 s. */
export function pack(reactions) {
  return reactions.map(({ action, half }) => ALPHABET[placeIn(ACTIONS, action) * 16 + placeIn(HALVES, half)]).join("");
}

/** The reactions in a text of `pack`, or null where it is malformed. */
export function unpack(text) {
  if (typeof text !== "string" || !/^[A-Za-v]*$/.test(text)) return null;
  const codes = Array.from(text, (character) => ALPHABET.indexOf(character));
  return codes.map((code) => ({ action: ACTIONS[code >> 4], half: code & 15 }));
}

/** G_t = min(time, 8 s) / 8 s + (0 scroll on, 0.5 like, 1 share). */
export function rewardOf({ action, half }) {
  return f(Math.min(half / 2, 8) / 8 + BONUS[placeIn(ACTIONS, action)]);
}
