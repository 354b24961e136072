"""Asks with the openai package; the same lines must come out whoever answers.

    openai.py BASE-URL
"""

import sys

# This file's own name must not stand before the package's.
sys.path.pop(0)

import openai  # noqa: E402

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
ask = [{"role": "user", "content": "May I lend it?"}]
chat, small = client.chat.completions, "small"

stream = list(chat.create(model=small, messages=ask, stream=True, stream_options={"include_usage": True}))
said = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
print("stream", said, stream[-1].usage.total_tokens, len(stream))

with client.chat.completions.with_streaming_response.create(model=small, messages=ask) as raw:
    print("raw", raw.status_code, raw.parse().choices[0].message.content)

whole = chat.create(model=small, messages=ask, n=2)
print("whole", whole.usage.total_tokens, [c.finish_reason for c in whole.choices])

tools = [{"type": "function", "function": {"name": "lend", "parameters": {"type": "object", "properties": {}}}}]
call = chat.create(model=small, messages=ask, tools=tools).choices[0]
print("tool", call.finish_reason, call.message.tool_calls[0].function.arguments)

print("completion", client.completions.create(model=small, prompt="It is").choices[0].text)
parts = client.completions.create(model=small, prompt="It is", stream=True, stream_options={"include_usage": True})
print("completions", "".join(c.choices[0].text for c in parts))

packed = client.embeddings.create(model="vec", input="red")
plain = client.embeddings.create(model="vec", input="red", encoding_format="float")
print("embedding", list(packed.data[0].embedding), plain.data[0].embedding)

response = client.responses.create(model=small, input="May I lend it?")
print("response", response.output_text, response.usage.total_tokens)
events = list(client.responses.create(model=small, input="May I lend it?", stream=True))
print("responses", "".join(e.delta for e in events if e.type == "response.output_text.delta"), events[-1].response.status)

print("models", [m.id for m in client.models.list()])
try:
    chat.create(model=small, messages=[{"role": "user", "content": "too many"}])
except openai.RateLimitError as e:
    print("refused", e.status_code, e.code)
