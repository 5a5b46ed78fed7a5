import type { STEAK } from '@bsv/sdk';
import { FetchError, type PublicFetch } from '@messagebox/shared';
import { assertOk } from './assert-ok.js';

const SUBMIT_TIMEOUT_MS = 15_000;
const MAX_STEAK_BYTES = 262_144;

/**
 * Submits a BEEF to another overlay host (BRC-22), with bounded effort.
 *
 * @param host the base of its paths
 * @throws {FetchError} when the host does not answer, refuses (with its reason), or answers without a STEAK
 */
export async function submitToHost(
  fetch: PublicFetch,
  host: string,
  beef: Uint8Array,
  topics: readonly string[],
  signal?: AbortSignal,
): Promise<STEAK> {
  const response = await fetch.request(`${host}/submit`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'x-topics': JSON.stringify(topics) },
    body: beef,
    maxBytes: MAX_STEAK_BYTES,
    timeoutMs: SUBMIT_TIMEOUT_MS,
    signal,
  });
  assertOk(response);
  return readSteak(response.body);
}

function readSteak(body: Buffer): STEAK {
  const steak = Object.entries(parseSteakObject(body)).flatMap(([topic, instructions]) => {
    if (typeof instructions !== 'object' || instructions === null) return [];
    const { outputsToAdmit, coinsToRetain, coinsRemoved } = instructions as Record<string, unknown>;
    if (!isIndexList(outputsToAdmit) || !isIndexList(coinsToRetain)) return [];
    return [
      [topic, { outputsToAdmit, coinsToRetain, ...(isIndexList(coinsRemoved) ? { coinsRemoved } : {}) }] as const,
    ];
  });
  if (steak.length === 0) throw new FetchError('The answer is not a STEAK.');
  return Object.fromEntries(steak);
}

function parseSteakObject(body: Buffer): object {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

function isIndexList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((index) => Number.isSafeInteger(index));
}
