/**
 * Reads what a spreadsheet puts on the clipboard: cells parted by tabs, rows by line breaks; a cell that holds either, or a
 * quotation mark at its beginning, stands in quotation marks, which are doubled inside.
 */
export function parseCells(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let index = 0;
  const endCell = () => {
    row.push(cell);
    cell = '';
  };
  const endRow = () => {
    endCell();
    rows.push(row);
    row = [];
  };
  while (index < text.length) {
    const char = text[index];
    const quoted = char === '"' && cell === '' ? readQuoted(text, index) : null;
    if (quoted) {
      cell = quoted.text;
      index = quoted.end;
    } else if (char === '\t') {
      endCell();
      index += 1;
    } else if (char === '\n' || char === '\r') {
      endRow();
      index += char === '\r' && text[index + 1] === '\n' ? 2 : 1;
    } else {
      cell += char;
      index += 1;
    }
  }
  // Spreadsheets end the last row too; without that end the text ends in a row of its own.
  if (cell !== '' || row.length > 0) endRow();
  return rows;
}

/**
 * A cell in quotation marks, if it is one: the mark that closes it must stand in front of a tab, a line break or the end.
 * A prompt such as `"hello" on a sign` is only text.
 */
function readQuoted(text: string, start: number): { text: string; end: number } | null {
  let index = start + 1;
  let out = '';
  for (;;) {
    const mark = text.indexOf('"', index);
    if (mark < 0) return null;
    out += text.slice(index, mark);
    if (text[mark + 1] === '"') {
      out += '"';
      index = mark + 2;
      continue;
    }
    const next = text[mark + 1];
    if (next !== undefined && next !== '\t' && next !== '\n' && next !== '\r') return null;
    return { text: out, end: mark + 1 };
  }
}

/** The same the other way: what every spreadsheet takes. */
export function writeCells(rows: readonly (readonly string[])[]): string {
  const cell = (text: string) =>
    /[\t\r\n]/.test(text) || text.startsWith('"') ? `"${text.replaceAll('"', '""')}"` : text;
  return rows.map((row) => row.map(cell).join('\t')).join('\r\n');
}

/** One value for many cells: a single copied cell fills whatever is chosen, as spreadsheets do. */
export function fillBlock(lines: string[][], height: number, width: number): string[][] {
  const rows = lines.length;
  const columns = Math.max(0, ...lines.map((line) => line.length));
  if (rows === 0 || columns === 0) return lines;
  // Only a block that fits a whole number of times is repeated.
  if (height % rows !== 0 || width % columns !== 0) return lines;
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (__, column) => lines[row % rows]?.[column % columns] ?? ''),
  );
}
