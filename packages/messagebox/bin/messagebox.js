#!/usr/bin/env node
import { runCliProcess } from '../dist/cli.js';

await runCliProcess();
