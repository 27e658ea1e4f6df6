// Package queue hands the messages of an SQS queue to a function, and deletes those that it is done with.
//
//	c, err := queue.New(sqs.NewFromConfig(cfg), queueURL, desk.Message, &queue.Options{Log: log})
//	c.Run(ctx) // until ctx ends
//
// A message is deleted once the function has returned without an error, and at no other time: it is delivered at least
// once, so the function must bear repeats. One that fails is left alone. It comes again when the queue's visibility
// timeout has passed, and after as many times as the queue's redrive policy allows it goes to the dead letter queue,
// where a person finds it; so give the queue one, with a maxReceiveCount of 5 or so, and a visibility timeout of a
// minute or more ([HandleTime] and some room).
//
// What it does not do: it makes no queue, extends no visibility timeout and keeps no order.
package queue
