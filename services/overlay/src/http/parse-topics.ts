import { RuleError } from '@messagebox/messages';

const MAX_TOPICS = 16;
const MAX_HEADER_LENGTH = 2_048;
/** A topic without quotes. Names are letters, digits and underscores (BRC-87). */
const BARE_TOPIC = /^\w+$/;

/**
 * Parses the header `x-topics` of a submission. Some clients write a JSON list (`["tm_messagebox"]`), others separate the
 * names by commas (`tm_messagebox,tm_other`).
 *
 * @throws {RuleError} `ERR_INVALID_TOPICS` for other texts, and unless there are 1 to 16 topics
 */
export function parseTopics(header: string | undefined): string[] {
  const text = (header ?? '').trim();
  const topics =
    text.length > MAX_HEADER_LENGTH ? [] : text.startsWith('[') ? parseJsonTopics(text) : parseBareTopics(text);
  if (topics.length >= 1 && topics.length <= MAX_TOPICS) return topics;
  throw new RuleError(
    'ERR_INVALID_TOPICS',
    `The header x-topics must name 1 to ${MAX_TOPICS} topics, as a JSON list of strings or separated by commas.`,
  );
}

function parseJsonTopics(json: string): string[] {
  try {
    const topics: unknown = JSON.parse(json);
    if (Array.isArray(topics) && topics.every((topic) => typeof topic === 'string')) return topics;
  } catch {
    // the caller throws
  }
  return [];
}

function parseBareTopics(text: string): string[] {
  const topics = text.split(',').map((topic) => topic.trim());
  return topics.every((topic) => BARE_TOPIC.test(topic)) ? topics : [];
}
