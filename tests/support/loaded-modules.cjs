// For NODE_OPTIONS=--require: a process says on SIGUSR2 whether it has loaded a package. MODULE_ASKED_FOR names it.
process.on('SIGUSR2', () => {
  const name = `/${process.env.MODULE_ASKED_FOR}/`;
  const loaded = Object.keys(require.cache).some((file) => file.includes(name));
  process.stdout.write(`${JSON.stringify({ msg: 'module', loaded })}\n`);
});
