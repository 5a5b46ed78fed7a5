/** The environment has missing or invalid variables. The message has one line for each of them, and holds no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
  }
}
