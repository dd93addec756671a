/** What the setting under the pointer or the focus does, in plain words; shown at the foot of the column. */
export const hint = $state({ label: '', text: '' });
