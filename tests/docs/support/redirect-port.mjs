// For --import: what a process asks of localhost:8080 goes to REDIRECTED_PORT, so that a page which names that address can be
// executed beside other servers.
import { Socket } from 'node:net';

const { connect } = Socket.prototype;

Socket.prototype.connect = function (...args) {
  // Node passes its own normalised form: an array with the options first.
  const [options] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof options === 'object' && options !== null && String(options.port) === '8080') {
    options.port = process.env.REDIRECTED_PORT;
  }
  return connect.apply(this, args);
};
