/** Which of the shell's panels are open; any view may open one. */
export const panels = $state({ queue: false, palette: false, keys: false });
