// Asks with the openai package; the same lines must come out whoever answers.
//
//     node openai.cjs BASE-URL
"use strict";

const { OpenAI, RateLimitError } = require("openai");

async function all(stream) {
  const out = [];
  for await (const part of stream) out.push(part);
  return out;
}

async function main(base) {
  const client = new OpenAI({ baseURL: base + "/v1", apiKey: "none", maxRetries: 0 });
  const messages = [{ role: "user", content: "May I lend it?" }];
  const model = "small";
  const chat = client.chat.completions;

  const chunks = await all(await chat.create({ model, messages, stream: true, stream_options: { include_usage: true } }));
  const said = chunks.map((c) => c.choices[0]?.delta.content ?? "").join("");
  console.log("stream", said, chunks.at(-1).usage.total_tokens, chunks.length);

  const raw = await chat.create({ model, messages }).withResponse();
  console.log("raw", raw.response.status, raw.data.choices[0].message.content);

  const whole = await chat.create({ model, messages, n: 2 });
  console.log("whole", whole.usage.total_tokens, JSON.stringify(whole.choices.map((c) => c.finish_reason)));

  const tools = [{ type: "function", function: { name: "lend", parameters: { type: "object", properties: {} } } }];
  const call = (await chat.create({ model, messages, tools })).choices[0];
  console.log("tool", call.finish_reason, call.message.tool_calls[0].function.arguments);

  console.log("completion", (await client.completions.create({ model, prompt: "It is" })).choices[0].text);
  const parts = await all(await client.completions.create({ model, prompt: "It is", stream: true, stream_options: { include_usage: true } }));
  console.log("completions", parts.map((c) => c.choices[0].text).join(""));

  const packed = await client.embeddings.create({ model: "vec", input: "red" });
  const plain = await client.embeddings.create({ model: "vec", input: "red", encoding_format: "float" });
  console.log("embedding", JSON.stringify(packed.data[0].embedding), JSON.stringify(plain.data[0].embedding));

  const response = await client.responses.create({ model, input: "May I lend it?" });
  console.log("response", response.output_text, response.usage.total_tokens);
  const events = await all(await client.responses.create({ model, input: "May I lend it?", stream: true }));
  const deltas = events.filter((e) => e.type === "response.output_text.delta").map((e) => e.delta);
  console.log("responses", deltas.join(""), events.at(-1).response.status);

  console.log("models", JSON.stringify((await all(client.models.list())).map((m) => m.id)));
  try {
    await chat.create({ model, messages: [{ role: "user", content: "too many" }] });
  } catch (e) {
    if (!(e instanceof RateLimitError)) throw e;
    console.log("refused", e.status, e.code);
  }
}

main(process.argv[2]);
