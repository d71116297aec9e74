/** What the tour's own controls say. */
import type { Said } from "./lessons.ts";

export const words = {
  tour: { en: "Tour", zh: "导览" },
  goal: { en: "Goal", zh: "目标" },
  reached: { en: "Reached", zh: "已达成" },
  notYet: { en: "Not yet", zh: "还没有" },
  back: { en: "Back", zh: "上一课" },
  next: { en: "Next", zh: "下一课" },
  showMe: { en: "Show me", zh: "看答案" },
  showMeHow: { en: "Puts a way to do it into the editor and runs it", zh: "把一种做法放进编辑器并运行" },
  startOver: { en: "Start over", zh: "重做本课" },
  lessons: { en: "Lessons", zh: "全部课程" },
  done: { en: "done", zh: "已完成" },
  otherScript: { en: "Another script is open.", zh: "现在打开的是另一段脚本。" },
  open: { en: "Open the lesson's script", zh: "打开本课的脚本" },
  close: { en: "Close the tour", zh: "关闭导览" },
  language: { en: "Language of the tour", zh: "导览的语言" },
} as const satisfies Record<string, Said>;
