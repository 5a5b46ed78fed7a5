import { RULES, type RuleNumber } from './rules.js';

/** A server broke a rule in a way that today's clients do not survive. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';

  /**
   * @param rule the rule that was broken
   * @param detail what exactly was wrong
   */
  constructor(
    readonly rule: RuleNumber,
    readonly detail: string,
  ) {
    super(`Rule ${rule} (${RULES[rule]}) is broken: ${detail}`);
  }
}
