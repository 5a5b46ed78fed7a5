import { RuleError } from '@messagebox/shared';

const MAX_TOPICS = 16;
const MAX_HEADER_LENGTH = 2_048;
/** A topic that stands in the header without quotes: names are letters, digits and underscores (BRC-87). */
const BARE_TOPIC = /^\w+$/;

/**
 * The topics of a submission. Of the clients in use some write the header `x-topics` as a JSON list
 * (`["tm_messagebox"]`), others with commas between the names (`tm_messagebox,tm_other`).
 *
 * @throws {RuleError} `ERR_INVALID_TOPICS` for what is neither, or not 1 to 16 topics
 */
export function parseTopics(header: string | undefined): string[] {
  const text = (header ?? '').trim();
  const topics = text.length > MAX_HEADER_LENGTH ? [] : text.startsWith('[') ? listOf(text) : bareTopics(text);
  if (topics.length >= 1 && topics.length <= MAX_TOPICS) return topics;
  throw new RuleError(
    'ERR_INVALID_TOPICS',
    `The header x-topics must name 1 to ${MAX_TOPICS} topics: as a JSON list of texts, or with commas between them.`,
  );
}

function listOf(json: string): string[] {
  try {
    const topics: unknown = JSON.parse(json);
    if (Array.isArray(topics) && topics.every((topic) => typeof topic === 'string')) return topics;
  } catch {
    // said by the caller
  }
  return [];
}

function bareTopics(text: string): string[] {
  const topics = text.split(',').map((topic) => topic.trim());
  return topics.every((topic) => BARE_TOPIC.test(topic)) ? topics : [];
}
