import '@fontsource-variable/inter/wght.css';
import './lib/design/tokens.css';
import './lib/design/base.css';
import './lib/design/controls.css';
import './lib/design/overlays.css';
import { mount } from 'svelte';
import { detectPlatform, usePlatform } from '$lib/platform';
import App from './App.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
usePlatform(await detectPlatform());
mount(App, { target });
