import type { StoredMessage } from '@messagebox/store';

/** A message as a client reads it. Times are ISO 8601 in UTC, in both spellings that clients use. */
export interface ListedMessage {
  readonly messageId: string;
  readonly body: string;
  readonly sender: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Only for a message that expires. */
  readonly expiresAt?: string;
  /** Only for a message that names an upload. */
  readonly upload?: ListedUpload;
}

/** The upload of a message as its recipient reads it. */
export interface ListedUpload {
  readonly bytes: number;
  /** 64 lower-case hex characters. */
  readonly sha256: string;
  /** A presigned GET; null while the server takes no uploads. */
  readonly url: string | null;
  /** When the URL stops working; the next list has another one. */
  readonly expiresAt: string | null;
}

/** The JSON of a {@link ListedMessage} in UTF-8. It is made once: to measure its size, and to be sent. */
export interface EncodedMessage {
  readonly pieces: readonly Buffer[];
  /** The size of all pieces together. */
  readonly bytes: number;
}

/** The part of a body that is encoded at once takes a fraction of a millisecond. */
export const MAX_PIECE_CHARACTERS = 65_536;

/** Encodes one message, a large one piece by piece, so that other work of the process can be done in between. */
export class MessageEncoder {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  /** Characters of the body that are encoded. */
  #position = 0;

  constructor(
    private readonly message: StoredMessage,
    private readonly upload: ListedUpload | undefined,
  ) {}

  /** Encodes the next piece. @returns the message when it is complete */
  encodePiece(): EncodedMessage | undefined {
    const { body, messageId } = this.message;
    if (body.length <= MAX_PIECE_CHARACTERS) {
      this.#add(JSON.stringify({ messageId, body, ...this.#describeRest() }));
      return this.#finish();
    }
    const isFirst = this.#position === 0;
    const end = findPieceEnd(body, this.#position);
    const text = JSON.stringify(body.slice(this.#position, end)).slice(1, -1);
    this.#position = end;
    this.#add(isFirst ? `{"messageId":${JSON.stringify(messageId)},"body":"${text}` : text);
    if (end < body.length) return undefined;
    this.#add(`",${JSON.stringify(this.#describeRest()).slice(1)}`);
    return this.#finish();
  }

  #describeRest(): Omit<ListedMessage, 'messageId' | 'body'> {
    const { sender, createdAt, updatedAt, expiresAt } = this.message;
    const created = createdAt.toISOString();
    const updated = updatedAt.toISOString();
    return {
      sender,
      created_at: created,
      updated_at: updated,
      createdAt: created,
      updatedAt: updated,
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
      ...(this.upload === undefined ? {} : { upload: this.upload }),
    };
  }

  #add(text: string): void {
    const piece = Buffer.from(text);
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  #finish(): EncodedMessage {
    return { pieces: this.#pieces, bytes: this.#bytes };
  }
}

/** The two halves of a surrogate pair stay together. */
function findPieceEnd(text: string, start: number): number {
  const end = Math.min(start + MAX_PIECE_CHARACTERS, text.length);
  const last = text.charCodeAt(end - 1);
  const isHighSurrogate = last >= 0xd800 && last <= 0xdbff;
  return isHighSurrogate && end < text.length ? end - 1 : end;
}
