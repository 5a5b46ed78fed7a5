import { render } from 'preact';
import { observeTransport } from './inspector/observe-transport.js';
import { App } from './shell/app.js';
import { applyTheme } from './shell/theme.js';
import './styles/index.css';

// Before any client is made, because clients keep the functions that they find.
observeTransport();
applyTheme();
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
