/** The environment can't be used as it is. The message is one line for each variable, and holds no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
  }
}
