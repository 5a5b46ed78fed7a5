/** Why an event was not sent, or the connection was closed so that its client reconnects. */
export type DeliveryProblem =
  /** The event was not sent: current clients close the connection for good on an event with this name. */
  | 'unspeakable_name'
  /** The event was not sent: current clients close the connection for good on an event of this size. */
  | 'too_large'
  /** Too much is buffered for the client. */
  | 'too_slow'
  /** The client did not answer an `initialRequest` of the server. */
  | 'no_answer'
  /** The client may have dropped the session in which the server signs. */
  | 'session_forgotten'
  /** A frame from the client takes too long to arrive. */
  | 'frame_too_slow'
  /** Too many frames from the client wait to be verified, or one has waited too long. */
  | 'overloaded';
