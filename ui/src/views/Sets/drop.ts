/** Takes a file that is dropped from outside. */
export function dropping(hands: { onover: (over: boolean) => void; ondrop: (file: File) => void }) {
  return (node: HTMLElement) => {
    const hasFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const over = (event: DragEvent) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      hands.onover(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget instanceof Node && node.contains(event.relatedTarget)) return;
      hands.onover(false);
    };
    const drop = (event: DragEvent) => {
      hands.onover(false);
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      hands.ondrop(file);
    };
    node.addEventListener('dragover', over);
    node.addEventListener('dragleave', leave);
    node.addEventListener('drop', drop);
    return () => {
      node.removeEventListener('dragover', over);
      node.removeEventListener('dragleave', leave);
      node.removeEventListener('drop', drop);
    };
  };
}
