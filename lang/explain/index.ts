/** What each message means, by its code: one page for every code of `lang/errors`, in order. */
import DLX0101 from "./DLX0101.md";
import DLX0102 from "./DLX0102.md";
import DLX0103 from "./DLX0103.md";
import DLX0104 from "./DLX0104.md";
import DLX0105 from "./DLX0105.md";
import DLX0106 from "./DLX0106.md";
import DLX0107 from "./DLX0107.md";
import DLX0108 from "./DLX0108.md";
import DLX0109 from "./DLX0109.md";
import DLX0110 from "./DLX0110.md";
import DLX0111 from "./DLX0111.md";
import DLX0112 from "./DLX0112.md";
import DLX0113 from "./DLX0113.md";
import DLX0114 from "./DLX0114.md";
import DLX0115 from "./DLX0115.md";
import DLX0116 from "./DLX0116.md";
import DLX0201 from "./DLX0201.md";
import DLX0202 from "./DLX0202.md";
import DLX0203 from "./DLX0203.md";
import DLX0204 from "./DLX0204.md";
import DLX0205 from "./DLX0205.md";
import DLX0206 from "./DLX0206.md";
import DLX0207 from "./DLX0207.md";
import DLX0208 from "./DLX0208.md";
import DLX0209 from "./DLX0209.md";
import DLX0210 from "./DLX0210.md";
import DLX0211 from "./DLX0211.md";
import DLX0212 from "./DLX0212.md";
import DLX0213 from "./DLX0213.md";
import DLX0215 from "./DLX0215.md";
import DLX0216 from "./DLX0216.md";
import DLX0217 from "./DLX0217.md";
import DLX0218 from "./DLX0218.md";
import DLX0219 from "./DLX0219.md";
import DLX0221 from "./DLX0221.md";
import DLX0231 from "./DLX0231.md";
import DLX0232 from "./DLX0232.md";
import DLX0233 from "./DLX0233.md";
import DLX0234 from "./DLX0234.md";
import DLX0235 from "./DLX0235.md";
import DLX0236 from "./DLX0236.md";
import DLX0301 from "./DLX0301.md";
import DLX0302 from "./DLX0302.md";
import DLX0303 from "./DLX0303.md";
import DLX0304 from "./DLX0304.md";
import DLX0305 from "./DLX0305.md";
import DLX0306 from "./DLX0306.md";
import DLX0307 from "./DLX0307.md";
import DLX0308 from "./DLX0308.md";
import DLX0309 from "./DLX0309.md";
import DLX0310 from "./DLX0310.md";
import DLX0311 from "./DLX0311.md";
import DLX0312 from "./DLX0312.md";
import DLX0313 from "./DLX0313.md";
import DLX0314 from "./DLX0314.md";
import DLX0315 from "./DLX0315.md";
import DLX0316 from "./DLX0316.md";
import DLX0317 from "./DLX0317.md";
import DLX0318 from "./DLX0318.md";
import DLX0319 from "./DLX0319.md";
import DLX0321 from "./DLX0321.md";
import DLX0322 from "./DLX0322.md";
import DLX0323 from "./DLX0323.md";
import DLX0324 from "./DLX0324.md";
import DLX0325 from "./DLX0325.md";
import DLX0326 from "./DLX0326.md";
import DLX0327 from "./DLX0327.md";
import DLX0328 from "./DLX0328.md";
import DLX0329 from "./DLX0329.md";
import DLX0331 from "./DLX0331.md";
import DLX0332 from "./DLX0332.md";
import DLX0333 from "./DLX0333.md";
import DLX0334 from "./DLX0334.md";
import DLX0335 from "./DLX0335.md";
import DLX0336 from "./DLX0336.md";
import DLX0337 from "./DLX0337.md";
import DLX0338 from "./DLX0338.md";
import DLX0339 from "./DLX0339.md";
import DLX0340 from "./DLX0340.md";
import DLX0341 from "./DLX0341.md";
import DLX0342 from "./DLX0342.md";
import DLX0343 from "./DLX0343.md";
import DLX0344 from "./DLX0344.md";
import DLX0345 from "./DLX0345.md";
import DLX0346 from "./DLX0346.md";
import DLX0347 from "./DLX0347.md";
import DLX0348 from "./DLX0348.md";
import DLX0349 from "./DLX0349.md";
import DLX0401 from "./DLX0401.md";
import DLX0402 from "./DLX0402.md";
import DLX0403 from "./DLX0403.md";
import DLX0404 from "./DLX0404.md";
import DLX0411 from "./DLX0411.md";
import DLX0412 from "./DLX0412.md";
import DLX0413 from "./DLX0413.md";
import DLX0501 from "./DLX0501.md";
import DLX0502 from "./DLX0502.md";
import DLX0503 from "./DLX0503.md";
import DLX0504 from "./DLX0504.md";
import DLX0505 from "./DLX0505.md";
import DLX0506 from "./DLX0506.md";
import DLX0510 from "./DLX0510.md";
import DLX0511 from "./DLX0511.md";
import DLX0512 from "./DLX0512.md";
import DLX0513 from "./DLX0513.md";
import DLX0514 from "./DLX0514.md";
import DLX0515 from "./DLX0515.md";
import DLX0516 from "./DLX0516.md";
import DLX0517 from "./DLX0517.md";
import DLX0518 from "./DLX0518.md";
import DLX0519 from "./DLX0519.md";
import DLX0520 from "./DLX0520.md";
import DLX0521 from "./DLX0521.md";
import DLX0522 from "./DLX0522.md";
import DLX0523 from "./DLX0523.md";
import DLX0524 from "./DLX0524.md";
import DLX0525 from "./DLX0525.md";
import DLX0526 from "./DLX0526.md";
import DLX0527 from "./DLX0527.md";
import DLX0528 from "./DLX0528.md";
import DLX0529 from "./DLX0529.md";
import DLX0530 from "./DLX0530.md";
import DLX0531 from "./DLX0531.md";
import DLX0532 from "./DLX0532.md";
import DLX0533 from "./DLX0533.md";
import DLX0540 from "./DLX0540.md";
import DLX0541 from "./DLX0541.md";
import DLX0542 from "./DLX0542.md";
import DLX0543 from "./DLX0543.md";
import DLX0544 from "./DLX0544.md";
import DLX0545 from "./DLX0545.md";
import DLX0546 from "./DLX0546.md";
import DLX0547 from "./DLX0547.md";
import DLX0548 from "./DLX0548.md";
import DLX0549 from "./DLX0549.md";
import DLX0551 from "./DLX0551.md";
import DLX0552 from "./DLX0552.md";
import DLX0560 from "./DLX0560.md";
import DLX0561 from "./DLX0561.md";
import DLX0562 from "./DLX0562.md";
import DLX0563 from "./DLX0563.md";
import DLX0564 from "./DLX0564.md";
import DLX0565 from "./DLX0565.md";
import DLX0601 from "./DLX0601.md";
import DLX0602 from "./DLX0602.md";
import DLX0603 from "./DLX0603.md";
import DLX0604 from "./DLX0604.md";
import DLX0605 from "./DLX0605.md";
import DLX0606 from "./DLX0606.md";
import DLX0701 from "./DLX0701.md";
import DLX0702 from "./DLX0702.md";
import DLX0703 from "./DLX0703.md";
import DLX0704 from "./DLX0704.md";
import DLX0705 from "./DLX0705.md";
import DLX0706 from "./DLX0706.md";
import DLX0707 from "./DLX0707.md";
import DLX0708 from "./DLX0708.md";
import DLX0709 from "./DLX0709.md";
import DLX0751 from "./DLX0751.md";
import { readPage, type Page } from "./read.ts";

const texts = [
  DLX0101,
  DLX0102,
  DLX0103,
  DLX0104,
  DLX0105,
  DLX0106,
  DLX0107,
  DLX0108,
  DLX0109,
  DLX0110,
  DLX0111,
  DLX0112,
  DLX0113,
  DLX0114,
  DLX0115,
  DLX0116,
  DLX0201,
  DLX0202,
  DLX0203,
  DLX0204,
  DLX0205,
  DLX0206,
  DLX0207,
  DLX0208,
  DLX0209,
  DLX0210,
  DLX0211,
  DLX0212,
  DLX0213,
  DLX0215,
  DLX0216,
  DLX0217,
  DLX0218,
  DLX0219,
  DLX0221,
  DLX0231,
  DLX0232,
  DLX0233,
  DLX0234,
  DLX0235,
  DLX0236,
  DLX0301,
  DLX0302,
  DLX0303,
  DLX0304,
  DLX0305,
  DLX0306,
  DLX0307,
  DLX0308,
  DLX0309,
  DLX0310,
  DLX0311,
  DLX0312,
  DLX0313,
  DLX0314,
  DLX0315,
  DLX0316,
  DLX0317,
  DLX0318,
  DLX0319,
  DLX0321,
  DLX0322,
  DLX0323,
  DLX0324,
  DLX0325,
  DLX0326,
  DLX0327,
  DLX0328,
  DLX0329,
  DLX0331,
  DLX0332,
  DLX0333,
  DLX0334,
  DLX0335,
  DLX0336,
  DLX0337,
  DLX0338,
  DLX0339,
  DLX0340,
  DLX0341,
  DLX0342,
  DLX0343,
  DLX0344,
  DLX0345,
  DLX0346,
  DLX0347,
  DLX0348,
  DLX0349,
  DLX0401,
  DLX0402,
  DLX0403,
  DLX0404,
  DLX0411,
  DLX0412,
  DLX0413,
  DLX0501,
  DLX0502,
  DLX0503,
  DLX0504,
  DLX0505,
  DLX0506,
  DLX0510,
  DLX0511,
  DLX0512,
  DLX0513,
  DLX0514,
  DLX0515,
  DLX0516,
  DLX0517,
  DLX0518,
  DLX0519,
  DLX0520,
  DLX0521,
  DLX0522,
  DLX0523,
  DLX0524,
  DLX0525,
  DLX0526,
  DLX0527,
  DLX0528,
  DLX0529,
  DLX0530,
  DLX0531,
  DLX0532,
  DLX0533,
  DLX0540,
  DLX0541,
  DLX0542,
  DLX0543,
  DLX0544,
  DLX0545,
  DLX0546,
  DLX0547,
  DLX0548,
  DLX0549,
  DLX0551,
  DLX0552,
  DLX0560,
  DLX0561,
  DLX0562,
  DLX0563,
  DLX0564,
  DLX0565,
  DLX0601,
  DLX0602,
  DLX0603,
  DLX0604,
  DLX0605,
  DLX0606,
  DLX0701,
  DLX0702,
  DLX0703,
  DLX0704,
  DLX0705,
  DLX0706,
  DLX0707,
  DLX0708,
  DLX0709,
  DLX0751,
];

export const pages: ReadonlyMap<string, Page> = new Map(
  texts.map((text) => {
    const page = readPage(text);
    return [page.code, page];
  }),
);
