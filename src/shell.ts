/** A word of a command that people paste into a shell: names of the cloud may hold blanks and worse. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
