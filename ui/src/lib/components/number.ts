/** What a number field may hold. */
export interface NumberRange {
  min?: number;
  max?: number;
  step?: number;
}

/** Reads what a person typed: spaces, full-width digits and a decimal comma are fine. */
export function parseNumber(text: string): number | null {
  const plain = text.normalize('NFKC').replace(/[\s_]/g, '').replace(',', '.');
  if (plain === '') return null;
  const value = Number(plain);
  return Number.isFinite(value) ? value : null;
}

/** The nearest value that is a whole number of steps from `min` (or zero) and inside the range. */
export function clampToStep(value: number, range: NumberRange): number {
  const { min = -Infinity, max = Infinity, step = 1 } = range;
  const base = Number.isFinite(min) ? min : 0;
  const stepped = base + Math.round((value - base) / step) * step;
  // Steps such as 0.1 leave dust behind; twelve digits are more than any control shows.
  const clean = Number(stepped.toPrecision(12));
  return Math.min(max, Math.max(min, clean));
}
