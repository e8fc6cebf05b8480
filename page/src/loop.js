/**
 * The loop between the recommender and one person: the compiled kernel's plain loop, bit for bit.
 *
 * Every operation rounds to float32 where the kernel rounds (`f`), words have 32 bits, and names are those of
 * kernel/plain.py. docs/model.md has the equations; tests/server/test_loop.py compares the bits.
 */

const f = Math.fround;
const STATES = 3;
const UNIT = 2 ** -24;
const BELOW_ONE = f(1 - 2 ** -23);
const VISITOR_BASELINE = 0.5;
const MOST_DRAWS = 1000; // at alpha 1 every new kind has a probability above 0.06

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
const INTERACTION = 1n;
const word64 = (x) => BigInt.asUintN(64, x);

function mix64(x) {
  x = word64((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n);
  x = word64((x ^ (x >> 27n)) * 0x94d049bb133111ebn);
  return x ^ (x >> 31n);
}

/** The four starting words of the stream of a person's posts. */
function stream(seed, user) {
  const key = mix64(word64(BigInt(seed) + INTERACTION * GOLDEN));
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

/** The luck of a post: of its choice, of the reaction, and of the next state. */
function drawLuck(words) {
  const [choice, radius, angle, transition] = [0, 0, 0, 0].map(() => nextWord(words) >>> 8);
  return { choice: choice * UNIT, noise: normal((radius + 1) * UNIT, angle * UNIT), transition: transition * UNIT };
}

/** Every category's weight under a row of logits, and their total. */
function weigh(logits) {
  const largest = logits.reduce((most, x) => Math.max(most, x));
  const weight = logits.map((x) => exp(f(x - largest)));
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
 * One person before a recommender. `tables` are the profiles of /api/about, `rate` is alpha.
 *
 * A `visitor` stays calm; their baseline begins at 0.5 and counts as one reaction; and the luck of their first K posts
 * is drawn again, up to MOST_DRAWS times, until the post is of a kind that was not shown yet.
 */
export class Loop {
  constructor({ seed = 1, user = 0, rate = 0.1, lambda = 0.2, tables, visitor = false }) {
    this.tables = tables;
    this.visitor = visitor;
    this.k = tables.reactive.mean[0].length;
    this.logits = new Float32Array(STATES * this.k);
    this.shown = new Uint32Array(this.k);
    this.words = stream(seed, user);
    this.t = 0;
    this.state = 0;
    this.baseline = visitor ? VISITOR_BASELINE : 0;
    this.lost = 0; // what rounding lost of the baseline
    this.turn({ rate, lambda });
  }

  /** Change alpha or lambda from here on. */
  turn({ rate = this.rate, lambda = this.lambda }) {
    this.rate = f(rate);
    this.lambda = f(lambda);
  }

  copy() {
    const { logits, shown, words } = this;
    const own = { logits: logits.slice(), shown: shown.slice(), words: words.slice() };
    return Object.assign(Object.create(Loop.prototype), this, own);
  }

  get policy() {
    return Array.from({ length: STATES }, (_, s) => softmax(this.row(s)));
  }

  /** An entry of this person's profile, between the two of `tables`. */
  blend(...path) {
    const [one, other] = [this.tables.reactive, this.tables.intentional].map((end) => path.reduce((x, i) => x[i], end));
    return f(f(f(1 - this.lambda) * one) + f(this.lambda * other));
  }

  row(state) {
    return this.logits.subarray(state * this.k, (state + 1) * this.k);
  }

  /** The next post: its luck, drawn from `words`, its category, and the odds it was drawn from. */
  find(words) {
    const odds = weigh(this.row(this.state));
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
    const before = softmax(row);
    const { odds, luck, category } = this.find(this.words);
    const of = (name, ...end) => this.blend(name, state, category, ...end);
    this.t += 1;
    this.shown[category] += 1;

    const felt = f(reward ?? f(of("mean") + f(of("std") * luck.noise)));
    const advantage = f(felt - baseline);
    const step = f(f(advantage * f(1 / f(this.visitor ? this.t + 1 : this.t))) + this.lost);
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
    const { t, state: nextState, baseline: newBaseline } = this;
    const [after, propensity] = [softmax(row), policy[category]];
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
