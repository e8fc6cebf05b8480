/** The four kinds of post: a colour of the theme, and a shape, so that they are told apart without colour. */
export const SHAPES = ["M5 .9 9.6 9.2H.4Z", "M1 1h8v8H1Z", "M5 .5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9Z", "M5 0 10 5 5 10 0 5Z"];
export const CLUSTERS = ["alpha", "beta", "gamma", "delta"];
export const TYPES = ["threat-reactive", "tribal-reactive", "validation-reactive", "intentional, λ > 0"];
/** Corners of the map, y up: threat and tribal at the top, validation and depth below. */
export const CORNERS = [[-1, 1], [1, 1], [1, -1], [-1, -1]];

export const placeOf = (feed) => [0, 1].map((axis) => feed.reduce((sum, p, a) => sum + p * CORNERS[a][axis], 0));
export const most = (counts) => counts.indexOf(Math.max(...counts));
export const count = (kinds, of = 4) => Array.from({ length: of }, (_, a) => kinds.filter((kind) => kind === a).length);
export const percent = (x, places = x > 0.1 || x === 0 ? 0 : 1) => `${(100 * x).toFixed(places)}%`;
export const number = (x) => x.toLocaleString("en");
