/** The table of kept screening answers, as Kysely sees it. */

export interface ScreenAnswerTable {
  answer_id: string;
  /** Unix ms. */
  at: number;
  actor: string;
  role: string;
  verdict: string;
  items: number;
  list_version: string;
  /** `<chain>/<address or transaction>` of each item, as asked and as understood. */
  subjects: string[];
  /** The answer as it left. */
  payload: string;
}

export interface ScreenTables {
  screen_answer: ScreenAnswerTable;
}
