"""Sightline on one machine, offline: moto in AWS's place, and a runtime that fires the app's triggers.

Never packaged, never imported by the app. ``python -m local`` (:mod:`local.__main__`) puts together, in
:mod:`local.offline_stack`, and in this order:

1. *The folder* in which everything stays: ``folder`` (who works there), ``keeping`` (what is written when),
   ``journal``, ``items`` (tables), ``objects`` (bucket), ``messages`` (queues), ``agreement`` (what files
   and records do not agree about).
2. *AWS*: ``aws`` runs moto behind ``wsgi`` and ``signed``; ``provision`` creates the resources of
   ``infra/resources.yaml``, which ``template`` reads.
3. *The runtime*: ``runtime`` reads the app's triggers (``s3``, ``sns``, ``sqs``, ``schedule``,
   ``streams``); each has a ``source`` or a ``feed``, a ``poller`` and a ``worker``, which calls a
   ``function``; ``faults`` and ``lineage`` say what goes wrong on a bad day, ``activity`` who is at work.
4. *The servers*: ``server`` (how requests are read), ``api`` (the routes, as API Gateway shows them),
   ``partner`` (who gets the XML), and on its own ``endpoint`` (SageMaker's);
   ``vision`` (whether a chosen model is there).
5. *The terminal*: ``tour`` (what is printed), ``label`` (photos of one's own, by ``client/``), ``stopping``
   (Ctrl-C), ``install`` (the first time), ``config`` (ports and variables).

These mend moto (by ``mending``), and would go if it did:


* ``tables``, ``updates``: it copies and sorts whole tables, for 10,000 items a third of a second a call.
* ``changes`` with ``shard``: its streams tell of steps in between, of cancelled transactions and of no
  change at all.
* ``queues`` with ``backlog``: it looks at every waiting message for each that is sent or received.
* ``sizes`` with ``limits``: it takes messages of any size.
* ``objects``: it holds every photo in memory, and every part of an upload for as long as its photo.
* ``signed``: it stores presigned requests unread, whoever signed them and whatever was added.
* ``overhead``: it does at every request what need not be done.
* ``wsgi``: its server opens a connection and a thread for each call.
"""
