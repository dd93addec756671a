// `cargo xtask screenshots`: no test, but the same browser and the same studio.
import { defineConfig } from '@playwright/test';
import tests from './playwright.config.ts';

export default defineConfig({ ...tests, testMatch: 'screenshots.ts', timeout: 900_000 });
