/** The part that is used of a library without types of its own. */
declare module "spdx-expression-parse" {
  /** Throws an error for what is no expression of SPDX. */
  export default function parse(expression: string): unknown;
}
