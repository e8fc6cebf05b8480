/** What the reader looks at: a block of text in the middle of the window, or a figure that is in sight. */

/** An action: call when the middle of the window is inside the node. */
export function whenRead(node, call) {
  const seen = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && call(), { rootMargin: "-55% 0px -44% 0px" });
  seen.observe(node);
  return { destroy: () => seen.disconnect() };
}

/** An action: call with the share of the node that is in sight, at steps of a tenth. */
export function inSight(node, call) {
  const steps = Array.from({ length: 11 }, (_, i) => i / 10);
  const seen = new IntersectionObserver((entries) => call(entries.at(-1).intersectionRatio), { threshold: steps });
  seen.observe(node);
  return { destroy: () => seen.disconnect() };
}

/** An action: call once, shortly before the node comes into sight. */
export function nearing(node, call) {
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    call();
  }, { rootMargin: "800px" });
  seen.observe(node);
  return { destroy: () => seen.disconnect() };
}

export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
