/** Screens that have room for one thing at a time: phones. */
import { MediaQuery } from "svelte/reactivity";

export const narrow = new MediaQuery("max-width: 760px");
