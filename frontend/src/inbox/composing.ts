const TAKEN_BY_INPUT_METHOD = 229;

/**
 * Whether a key belongs to the input method, which chooses its word by it. Safari ends the
 * composition before the key that ended it, and tells of it only by the key's code.
 */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === TAKEN_BY_INPUT_METHOD;
}
