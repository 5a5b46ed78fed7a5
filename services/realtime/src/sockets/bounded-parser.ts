import { DEFAULT_JSON_LIMITS, findExceededJsonLimit } from '@messagebox/brc103';
import { Server } from 'socket.io';

type Parser = Server['_parser'];

/** A shorter packet cannot exceed the limit, because each object or array takes two characters. */
const MAX_UNCHECKED_LENGTH = DEFAULT_JSON_LIMITS.containers * 2;

/**
 * Creates socket.io's own parser with a check in front: a packet with more objects than any client sends ends its
 * connection before it is parsed. Once parsed, the two bytes of `{}` take about thirty times as much memory.
 */
export function createBoundedParser(): Parser {
  const { _parser: parser } = new Server({ serveClient: false });
  class BoundedDecoder extends parser.Decoder {
    override add(packet: unknown): void {
      if (
        typeof packet === 'string' &&
        packet.length > MAX_UNCHECKED_LENGTH &&
        findExceededJsonLimit(packet) !== undefined
      ) {
        throw new Error('The packet has too many objects');
      }
      super.add(packet);
    }
  }
  return { ...parser, Decoder: BoundedDecoder };
}
