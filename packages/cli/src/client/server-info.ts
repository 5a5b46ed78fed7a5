import { getField, getNumber, getText } from './fields.js';

/**
 * Asks `GET /info`, which anybody may read.
 *
 * @param url the server's, with its path prefix
 * @returns undefined when the server does not have it, as versions before, or does not answer
 */
export async function fetchServerInfo(
  url: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/info`, { signal: limit });
    const answer: unknown = await response.json();
    return getText(answer, 'product') === 'MessageBox' ? (answer as Record<string, unknown>) : undefined;
  } catch {
    // The state of the server is told without it.
    return undefined;
  }
}

/** The parts of `GET /info` that a person wants to know, by the names of lines. */
export function describeServerInfo(info: unknown): Readonly<Record<string, string | undefined>> {
  const limits = getField(info, 'limits');
  const push = getField(info, 'push');
  const boxes = getField(push, 'boxes');
  const isPushing = getField(push, 'fcm') === true || getText(push, 'vapidPublicKey') !== '';
  return {
    version: joinDefined(getText(info, 'version'), withName('network', getText(info, 'network'))),
    'largest request': withUnit(getNumber(limits, 'requestBodyBytes'), 'bytes'),
    'largest live body': withUnit(getNumber(limits, 'liveBodyBytes'), 'bytes'),
    recipients: withUnit(getNumber(limits, 'recipients'), 'in one send'),
    'list page': joinDefined(
      withUnit(getNumber(getField(limits, 'listPage'), 'messages'), 'messages'),
      withUnit(getNumber(getField(limits, 'listPage'), 'bytes'), 'bytes'),
    ),
    inbox: describeQuota(getField(getField(limits, 'quotas'), 'inbox')),
    retention: describeRetention(limits),
    'delivery fees': describeFees(getField(getField(info, 'fees'), 'delivery')),
    pushed: isPushing && Array.isArray(boxes) ? boxes.join(', ') : undefined,
    live:
      getField(getField(info, 'websockets'), 'enabled') === true
        ? getText(getField(info, 'websockets'), 'path')
        : undefined,
  };
}

function describeQuota(quota: unknown): string | undefined {
  const [messages, bytes] = [getNumber(quota, 'messages'), getNumber(quota, 'bytes')];
  return joinDefined(withUnit(messages, 'messages'), withUnit(bytes, 'bytes'));
}

function describeRetention(limits: unknown): string | undefined {
  const days = getField(limits, 'retentionDays');
  if (days === undefined) return undefined;
  return typeof days === 'number' ? `${days} days` : 'until acknowledged';
}

function describeFees(fees: unknown): string | undefined {
  if (typeof fees !== 'object' || fees === null) return undefined;
  const charged = Object.entries(fees).filter(([, fee]) => typeof fee === 'number' && fee > 0);
  return charged.length === 0 ? 'none' : charged.map(([box, fee]) => `${box} ${fee} satoshis`).join(', ');
}

function withUnit(count: number | undefined, unit: string): string | undefined {
  return count === undefined ? undefined : `${count.toLocaleString('en-US')} ${unit}`;
}

function withName(name: string, value: string): string | undefined {
  return value === '' ? undefined : `${name} ${value}`;
}

function joinDefined(...parts: readonly (string | undefined)[]): string | undefined {
  const given = parts.filter((part) => part !== undefined && part !== '');
  return given.length === 0 ? undefined : given.join(', ');
}
