import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { textOf } from '../text-file.ts'

/** Text of a file that a person has written, with whatever editor. */
export const readText = async (path: string): Promise<string> => textOf(await readFile(path))

/** The same without waiting. */
export const readTextNow = (path: string): string => textOf(readFileSync(path))
