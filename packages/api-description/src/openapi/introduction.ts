/** The first text of the document, in Markdown. */
export const introduction = `Clients use these routes through \`@bsv/message-box-client\`, or with any BRC-104 client such as
\`AuthFetch\` of \`@bsv/sdk\`, which signs requests and verifies answers.

**Authentication.** Routes with a lock need a signature in the headers \`x-bsv-auth-*\`, and act for the identity that has
signed. Their answers are signed as well, errors included, except errors before the signature was verified.

**Errors** are \`{"status": "error", "code", "description"}\`. Decide by the code: the description is for people. Each code says
when it comes and what to do about it.

**Any route** answers \`OPTIONS\` with 200 for browsers, \`HEAD\` like \`GET\` without the body, and a path or a method that is not
described with \`ERR_NOT_FOUND\`, after authentication where the path is below the routing prefix.

**Live events** go over socket.io on the same host and port. \`asyncapi.json\` describes them.
`;
