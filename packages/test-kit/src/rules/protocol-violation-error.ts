import { RULES, type RuleNumber } from './rules.js';

/** A server broke a rule in a way that makes current clients give up. */
export class ProtocolViolationError extends Error {
  override readonly name = 'ProtocolViolationError';

  /**
   * @param rule the rule that was broken
   * @param detail the fault in detail
   */
  constructor(
    readonly rule: RuleNumber,
    readonly detail: string,
  ) {
    super(`Rule ${rule} (${RULES[rule]}) is broken: ${detail}`);
  }
}
