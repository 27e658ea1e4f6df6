// Package queue passes the messages of an SQS queue to a function and deletes those that succeed.
//
//	c, err := queue.New(sqs.NewFromConfig(cfg), queueURL, desk.Message, &queue.Options{Log: log})
//	c.Run(ctx) // until ctx ends
//
// A message is deleted only after the function has returned nil. It is delivered at least once, so the function must
// tolerate repeats. A failed message is delivered again after the queue's visibility timeout. After the number of
// deliveries in the queue's redrive policy, it moves to the dead letter queue, where a person finds it. Configure that
// queue with a maxReceiveCount of about 5 and a visibility timeout of at least a minute ([HandleTime] and some room).
//
// The package does not create queues, extend visibility timeouts or keep messages in order.
package queue
