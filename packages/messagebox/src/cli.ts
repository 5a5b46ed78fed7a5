export { runCliProcess } from '@messagebox/cli';
