/** Tells a person at a terminal what runs and what to try. On stderr: stdout carries the log, one JSON line each. */
export function welcome(facts: {
  readonly url: string;
  readonly identityKey: string;
  /** Where a key was made just now. */
  readonly keyFile: string | undefined;
  readonly database: string;
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
          `  A private key was made for this server: ${facts.keyFile}`,
          '  Keep it to keep the identity. For production set SERVER_PRIVATE_KEY instead.',
        ]),
    '',
    '  Try it from another terminal:  npm run demo',
    '',
    '',
  ];
  process.stderr.write(lines.join('\n'));
}
