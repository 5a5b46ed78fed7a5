import { excessOfJson, MAX_JSON } from '@messagebox/brc103';
import { Server } from 'socket.io';

type Parser = Server['_parser'];

/** A shorter packet can't hold more than is allowed: each object or array takes two characters. */
const MAX_UNCHECKED_LENGTH = MAX_JSON.containers * 2;

/**
 * socket.io's own parser, but for packets with more structure than any client sends: these end their connection before they
 * are parsed, since two bytes of `{}` take some thirty times as much memory as objects.
 */
export function boundedParser(): Parser {
  const { _parser: parser } = new Server({ serveClient: false });
  class BoundedDecoder extends parser.Decoder {
    override add(packet: unknown): void {
      if (typeof packet === 'string' && packet.length > MAX_UNCHECKED_LENGTH && excessOfJson(packet) !== undefined) {
        throw new Error('The packet has too many objects');
      }
      super.add(packet);
    }
  }
  return { ...parser, Decoder: BoundedDecoder };
}
