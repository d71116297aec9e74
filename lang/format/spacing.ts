/**
 * One line's spacing, and where it may be broken: decided for each token from the token before it and from where it
 * stands. Signs are read in context here: a `-` with one side or two, a `:` of a choice or of a name.
 */
import type { IToken, TokenType } from "chevrotain";
import {
  AddOp,
  At,
  Caret,
  Colon,
  Comma,
  CompareOp,
  Dot,
  DotDot,
  Equals,
  FatArrow,
  Identifier,
  isA,
  K,
  LeftArrow,
  LParen,
  LSquare,
  Minus,
  MulOp,
  NumberLit,
  Pipe,
  Question,
  RCurly,
  RParen,
  RSquare,
  S,
  StringLit,
  ThinArrow,
  Tilde,
} from "../syntax/tokens.ts";
import type { Level } from "./tree.ts";

/** What is remembered along one row. */
export interface RowState {
  /** The word that begins the statement; absent inside of brackets. */
  head?: TokenType;
  readonly statement: boolean;
  /** How many tokens were placed. */
  count: number;
  before?: Placed;
  /** Behind the `=` of the statement. */
  assigned: boolean;
  /** Signs `?` whose `:` is still to come. */
  choices: number;
  /** Behind the `in` of an `input`. */
  domain: boolean;
}

export interface Placed {
  readonly token: IToken;
  readonly gap: 0 | 1;
  /** A line may begin with it. */
  readonly level?: Level;
  /** A line may begin behind it. */
  readonly after: boolean;
  /** An operand ends with it, so what follows is an operator, a call or a word. */
  readonly ends: boolean;
  /** A sign of one side: nothing stands between it and its operand. */
  readonly tight: boolean;
}

export const newRow = (statement: boolean): RowState => ({
  statement,
  count: 0,
  assigned: false,
  choices: 0,
  domain: false,
});

const operandEnds = [Identifier, NumberLit, StringLit, RParen, RSquare, RCurly, K.true, K.false, K.none, K.dim];
const partWords = [S.over, S.with, S.except, S.to, S.from, S.mixes];
const levels: readonly (readonly [TokenType, Level])[] = [
  [Pipe, "pipe"],
  [ThinArrow, "arrow"],
  [S.over, "word"],
  [S.with, "word"],
  [S.except, "word"],
  [Question, "choice"],
  [Colon, "choice"],
  [K.or, "or"],
  [K.and, "and"],
  [CompareOp, "compare"],
  [AddOp, "sum"],
  [MulOp, "product"],
  [At, "matrix"],
];
const behind: readonly TokenType[] = [Comma, Equals, LeftArrow, FatArrow, Tilde];

/** Places the next token of a row. For brackets it is called with the opening and then with the closing sign. */
export function placed(state: RowState, token: IToken): Placed {
  const { before } = state;
  const type = token.tokenType;
  const binary = before?.ends === true;
  const choice = type === Colon && state.choices > 0;
  if (type === Question) state.choices++;
  if (choice) state.choices--;
  const word = binary && partWords.some((s) => s === type);
  const named = partWords.some((s) => s === type) && !word;
  const gap = gapBefore(state, token, choice);
  if (state.statement && state.count++ === 0) state.head = type;
  if (state.head === K.input && type === K.in) state.domain = true;
  if (type === Equals) state.assigned = true;
  const level = binary && !named && (type !== Colon || choice) ? levels.find(([t]) => isA(token, t))?.[1] : undefined;
  const after = behind.includes(type);
  const ends = !word && operandEnds.some((t) => isA(token, t));
  const tight = type === Minus && !binary;
  const result: Placed = { token, gap, level, after, ends, tight };
  state.before = result;
  return result;
}

function gapBefore(state: RowState, token: IToken, choice: boolean): 0 | 1 {
  const { before } = state;
  if (!before) return 0;
  const type = token.tokenType;
  const last = before.token.tokenType;
  if (before.tight || type === Comma || type === Dot || last === Dot || type === Caret || last === Caret) return 0;
  if (type === Colon) return choice ? 1 : 0;
  if (type === DotDot && before.ends) return state.domain ? 1 : 0;
  if (last === DotDot) return state.domain ? 1 : 0;
  // `train name (fields) in`: the bracket is no call.
  const named = state.count === 2 && (state.head === K.train || state.head === K.eval);
  return (type === LParen || type === LSquare) && before.ends && !named ? 0 : 1;
}

/** In the head of a definition: its brackets hold parameters. */
export const inSignature = ({ head, assigned }: RowState): boolean =>
  !assigned && (head === K.fn || head === K.model || head === K.optimizer);
