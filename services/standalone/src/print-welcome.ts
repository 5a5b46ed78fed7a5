/** Prints where the server listens and what to try next. It goes to stderr, because stdout has the log as JSON lines. */
export function printWelcome(facts: {
  readonly url: string;
  readonly consoleUrl: string;
  readonly identityKey: string;
  /** The file of a key that was created by this start. */
  readonly keyFile: string | undefined;
  readonly database: string;
  /** A command for the next step. */
  readonly tryIt: string | undefined;
}): void {
  const lines = [
    '',
    `  MessageBox listens on ${facts.url}`,
    `  Its identity key is ${facts.identityKey}`,
    `  Messages are kept in ${facts.database}`,
    ...(facts.keyFile === undefined
      ? []
      : [
          '',
          `  A new private key was created for this server: ${facts.keyFile}`,
          '  Without this file the server gets another identity. In production, set SERVER_PRIVATE_KEY instead.',
        ]),
    '',
    `  Open the console in a browser:  ${facts.consoleUrl}`,
    ...(facts.tryIt === undefined ? [] : [`  Try it from another terminal:   ${facts.tryIt}`]),
    '',
    '',
  ];
  process.stderr.write(lines.join('\n'));
}
