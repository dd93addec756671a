/** Takes everything beside an element out of reach of keyboard and screen readers, for what covers its surroundings. */
export function alone(element: HTMLElement): () => void {
  const silenced: HTMLElement[] = [];
  for (const other of element.parentElement?.children ?? []) {
    if (other === element || !(other instanceof HTMLElement) || other.inert) continue;
    if (other.dataset.beside !== undefined) continue;
    other.inert = true;
    silenced.push(other);
  }
  return () => silenced.forEach((other) => (other.inert = false));
}
