// What a service in Node does: reads an embedding on standard input, writes what it got as JSON.
"use strict";

const { Pool } = require("pg");

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 });

// named, so that it is prepared: once on each connection
const recommend = (embedding, top, known = []) =>
  pool.query({
    name: "recommend_for_embedding",
    text: "SELECT rank, hashtag, score FROM tagdb.recommend_for_embedding($1, top => $2, known => $3)",
    values: [embedding, top, known],
  });

const kind = (value) => (value === null ? "null" : value.constructor.name);

async function refusal(query) {
  try {
    await query;
    return null;
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}

async function main() {
  let embedding = "";
  for await (const part of process.stdin) embedding += part;

  const answers = await Promise.all(Array.from({ length: 8 }, () => recommend(embedding, 3)));
  const [{ hashtag: best }] = answers[0].rows;
  const { rows: others } = await recommend(embedding, 3, ["#" + best.toUpperCase()]);

  const { rows: names } = await pool.query(
    "SELECT table_name FROM information_schema.views WHERE table_schema = 'tagdb' ORDER BY 1",
  );
  const views = {};
  for (const { table_name: view } of names) {
    const { rows, fields } = await pool.query(`SELECT * FROM tagdb."${view}"`);
    const kinds = fields.map(({ name }) => [name, [...new Set(rows.map((row) => kind(row[name])))].sort()]);
    views[view] = { rows: rows.length, kinds: Object.fromEntries(kinds) };
  }

  const { rows: prepared } = await pool.query("SELECT name FROM pg_prepared_statements");
  return {
    answers: answers.map(({ rows }) => rows),
    others,
    views,
    prepared,
    top: await refusal(recommend(embedding, 0)),
    short: await refusal(recommend("[1,2]", 3)),
    array: await refusal(recommend(JSON.parse(embedding), 3)),
    table: await refusal(pool.query("SELECT 1 FROM tagdb_store.images")),
    again: (await recommend(embedding, 3)).rows,
  };
}

main()
  .then((result) => console.log(JSON.stringify(result)))
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => pool.end());
