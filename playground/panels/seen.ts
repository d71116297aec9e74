/** Whether a part of the page is seen: in the window, in a tab that is in front. */
import type { Attachment } from "svelte/attachments";

/** `show` is called when the element comes to be seen, and what it gives when it is seen no more. */
export function whileSeen(show: () => () => void): Attachment {
  return (element) => {
    let hide: (() => void) | undefined;
    let inView = false;
    const update = () => {
      const seen = inView && !document.hidden;
      if (seen && !hide) hide = show();
      else if (!seen && hide) {
        hide();
        hide = undefined;
      }
    };
    const watch = new IntersectionObserver((entries) => {
      inView = entries.at(-1)!.isIntersecting;
      update();
    });
    watch.observe(element);
    document.addEventListener("visibilitychange", update);
    return () => {
      watch.disconnect();
      document.removeEventListener("visibilitychange", update);
      hide?.();
    };
  };
}
