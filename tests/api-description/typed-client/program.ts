// A program that uses a client made of docs/openapi.json. The test compiles it beside the generated `schema.d.ts`.
import createClient from 'openapi-fetch';
import type { paths } from './schema.js';

/** @param signedFetch signs requests and verifies answers, as `AuthFetch` of `@bsv/sdk` does */
export async function sendAndList(
  baseUrl: string,
  signedFetch: (request: Request) => Promise<Response>,
): Promise<string[]> {
  const client = createClient<paths>({ baseUrl, fetch: signedFetch });
  const headers = {
    'x-bsv-auth-version': '0.1',
    'x-bsv-auth-identity-key': '',
    'x-bsv-auth-nonce': '',
    'x-bsv-auth-your-nonce': '',
    'x-bsv-auth-signature': '',
    'x-bsv-auth-request-id': '',
  } as const;

  const sent = await client.POST('/sendMessage', {
    params: { header: headers },
    body: { message: { recipient: '02…', messageBox: 'inbox', messageId: 'one', body: 'hello' } },
  });
  if (sent.error !== undefined) {
    if (sent.error.code === 'ERR_DELIVERY_BLOCKED') return sent.error.blockedRecipients;
    // @ts-expect-error: no answer of this route has that code
    if (sent.error.code === 'ERR_NO_SUCH_CODE') return [];
    return [sent.error.code];
  }
  const results: { recipient: string; messageId: string }[] = sent.data.results;

  const listed = await client.POST('/listMessages', {
    params: { header: headers },
    body: { messageBox: 'inbox', offset: 0 },
  });
  const bodies = (listed.data?.messages ?? []).map((message) => message.body);

  // @ts-expect-error: the box is missing
  await client.POST('/listMessages', { params: { header: headers }, body: { offset: 0 } });
  // @ts-expect-error: there is no such route
  await client.GET('/messages', {});
  // @ts-expect-error: an order is asc or desc
  await client.GET('/permissions/list', { params: { header: headers, query: { createdAtOrder: 'newest' } } });
  // @ts-expect-error: an answer has no such field
  console.log(listed.data?.total);
  return [...results.map(({ messageId }) => messageId), ...bodies];
}
