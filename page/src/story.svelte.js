/** The recorded figures of the later chapters: asked for once, and what went wrong is said once. */
import { figuresOf } from "./recorded.js";

class Story {
  told = $state.raw(null);
  trouble = $state("");
}

export const story = new Story();
figuresOf("story.json").then(
  (told) => (story.told = told),
  () => (story.trouble = "The recorded figures of these chapters did not arrive. Load the page again to have them."),
);
